;; Leaves with a status code of its own, through the function of wasi:cli that is still unstable.
(component
  (import "wasi:cli/exit@0.2.0" (instance $exit
    (export "exit-with-code" (func (param "status-code" u8)))))
  (core func $exit (canon lower (func $exit "exit-with-code")))
  (core module $m
    (import "host" "exit" (func $exit (param i32)))
    (func (export "exit") (param i32) (call $exit (local.get 0))))
  (core instance $i (instantiate $m (with "host" (instance (export "exit" (func $exit))))))
  (func (export "exit") (param "code" u8) (canon lift (core func $i "exit"))))
