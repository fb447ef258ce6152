"""All the SQL. The rows are the only truth."""
