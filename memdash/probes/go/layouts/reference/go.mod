module memdash/reference

go 1.19
