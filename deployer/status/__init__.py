"""One row for each process of the site, and where it differs from the inventory. Pure."""
