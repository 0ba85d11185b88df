"""What patients and staff are told, by mail and by tasks."""
