"""Care over months: episodes, what they ask for, the weeks to come, and what was done."""
