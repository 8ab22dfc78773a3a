"""What every host has and runs now."""
