"""What the processes of the site wrote to their hosts' journals."""
