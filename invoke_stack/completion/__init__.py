"""What a shell offers after a flag: names out of files, and the scripts that ask for them."""
