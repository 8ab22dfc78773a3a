"""What scripts rely on in every output: the version of its schema. Fields may be added, never renamed."""

SCHEMA_VERSION = 1
