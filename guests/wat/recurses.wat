;; Calls itself until the stack gives way. Not a tail call: the sum needs the callee's answer.
(component
  (core module $m
    (func $deep (export "recurse") (param i64) (result i64)
      (i64.add (local.get 0) (call $deep (i64.add (local.get 0) (i64.const 1))))))
  (core instance $i (instantiate $m))
  (func (export "recurse") (param "from" u64) (result u64) (canon lift (core func $i "recurse"))))
