"""The Active Directory end: readers, and the one writer."""
