"""SimplyBook.me, pretended."""
