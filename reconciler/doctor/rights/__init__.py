"""What an account may do in a domain, read from access lists: [MS-ADTS] 5.1.3 (access checks) over descriptors and a token."""
