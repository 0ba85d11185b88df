"""The commands, grouped by what they are about: each parses, asks the domain, and shows the answer."""
