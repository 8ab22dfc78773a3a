"""Checks that memory, open files, database connections and timeouts fit the sizes of the site."""
