"""Never needed in production: the simulated utility, the default source, benches and scores. The product knows none of it."""
