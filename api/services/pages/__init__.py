"""What patients and clinicians see on pages of their own."""
