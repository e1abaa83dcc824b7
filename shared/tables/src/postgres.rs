//! The tables in PostgreSQL.
