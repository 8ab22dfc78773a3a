"""The layers that lab hosts are made of: built once, kept in the user's cache, never changed after."""
