"""What each line of an env file means to Compose, to Next.js and to python-dotenv."""
