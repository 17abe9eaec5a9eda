"""The queue side: from a delivery to the vendor's answer, recorded."""
