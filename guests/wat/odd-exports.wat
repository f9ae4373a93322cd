;; Exports that are no functions: a core module, a type, and an instance with nothing in it.
(component
  (core module $m (func (export "f")))
  (type $r' (record (field "x" u32)))
  (instance $empty)
  (export "a-module" (core module $m))
  (export "a-type" (type $r'))
  (export "test:odd/empty" (instance $empty)))
