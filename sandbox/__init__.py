"""The vendors, pretended: HTTP servers true to the vendors' documents, with switches for each quirk and fault."""
