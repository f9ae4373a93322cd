;; An instance of a component inside the component, exported as an interface; and a function of it at the top as well.
(component
  (component $inner
    (core module $m (func (export "f") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2))))
    (core instance $i (instantiate $m))
    (func (export "double") (param "v" u32) (result u32) (canon lift (core func $i "f"))))
  (instance $a (instantiate $inner))
  (instance $b (instantiate $inner))
  (export "test:nested/one" (instance $a))
  (export "test:nested/two" (instance $b))
  (export "double" (func $a "double")))
