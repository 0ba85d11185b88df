"""The store: the tables, the only queries, the migrations, backup and restore. Nothing outside it speaks SQL."""
