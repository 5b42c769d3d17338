"""Everything the demonstration and the tests run against: a tenant, a domain controller, people."""
