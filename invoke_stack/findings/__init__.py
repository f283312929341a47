"""What checks find, and the formats it is written in."""
