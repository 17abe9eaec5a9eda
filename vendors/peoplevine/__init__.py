"""Peoplevine Bookings, with SevenRooms, Book4Time and Tripleseat behind it."""
