"""SimplyBook.me."""
