"""What is decided on bookings, by hand or by a plan, and what follows from it."""
