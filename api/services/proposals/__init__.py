"""What is tried, proposed or judged before anything of it is done."""
