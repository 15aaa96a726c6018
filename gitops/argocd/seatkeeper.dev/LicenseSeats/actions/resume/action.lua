-- What was wanted meanwhile is bought now.
obj.spec.suspend = false
return obj
