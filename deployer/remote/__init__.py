"""The one door to the network: SSH, many hosts at once, and the script that runs on them."""
