module memdash/target

go 1.19
