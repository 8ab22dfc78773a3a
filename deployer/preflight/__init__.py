"""Every problem that would make a deploy fail, found before the first change."""
