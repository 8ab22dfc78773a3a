"""Whether hosts, database and timeouts have what the sizes of the site need."""
