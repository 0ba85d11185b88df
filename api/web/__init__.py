"""The pages that browsers show: the desk's application as it was built, and what the service writes itself."""
