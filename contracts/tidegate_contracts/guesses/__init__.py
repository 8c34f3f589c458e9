"""What can be guessed of a dataset from its values, one kind of guess a file."""
