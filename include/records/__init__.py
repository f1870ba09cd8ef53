"""The warehouse's own records: the one way to a connection, and what its schema is made of."""
