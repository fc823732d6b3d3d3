module shaped

go 1.21
