-- Nothing is written to the vendor any more. It is read on.
obj.spec.suspend = true
return obj
