"""Where referrals come in, by whatever door, and patients of the day."""
