"""What belongs to this machine and to the people who work on the code: nothing of it is needed where a night runs."""
