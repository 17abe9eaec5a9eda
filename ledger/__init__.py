"""The SQL record of events, attempts, bookings and dead letters."""
