;; Makes requests that it never sends, each with a method as long as it likes: what the host keeps for a guest is not in the
;; guest's memory. Gives up where a method is refused.
(component
  (import "wasi:http/types@0.2.0" (instance $types
    (export "fields" (type $fields (sub resource)))
    (export "outgoing-request" (type $request (sub resource)))
    (type $method' (variant (case "get") (case "head") (case "post") (case "put") (case "delete") (case "connect")
      (case "options") (case "trace") (case "patch") (case "other" string)))
    (export "method" (type $method (eq $method')))
    (export "[constructor]fields" (func (result (own $fields))))
    (export "[constructor]outgoing-request" (func (param "headers" (own $fields)) (result (own $request))))
    (export "[method]outgoing-request.set-method"
      (func (param "self" (borrow $request)) (param "method" $method) (result (result))))))
  (core module $memory' (memory (export "memory") 20)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0)))
  (core instance $memory (instantiate $memory'))
  (alias export $types "[constructor]fields" (func $fields-new))
  (alias export $types "[constructor]outgoing-request" (func $request-new))
  (alias export $types "[method]outgoing-request.set-method" (func $set-method))
  (core func $fields-new' (canon lower (func $fields-new)))
  (core func $request-new' (canon lower (func $request-new)))
  (core func $set-method'
    (canon lower (func $set-method) (memory $memory "memory") (realloc (func $memory "realloc"))))
  (core module $hoard
    (import "host" "fields" (func $fields (result i32)))
    (import "host" "request" (func $request (param i32) (result i32)))
    (import "host" "set-method" (func $set-method (param i32 i32 i32 i32) (result i32)))
    (import "host" "memory" (memory 20))
    (func (export "hoard") (param $count i32) (param $length i32) (result i32) (local $made i32)
      (memory.fill (i32.const 0) (i32.const 65) (local.get $length))
      (loop $again
        (if (call $set-method (call $request (call $fields)) (i32.const 9) (i32.const 0) (local.get $length))
          (then unreachable))
        (local.set $made (i32.add (local.get $made) (i32.const 1)))
        (br_if $again (i32.lt_u (local.get $made) (local.get $count))))
      (local.get $made)))
  (core instance $hoard' (instantiate $hoard (with "host" (instance
    (export "fields" (func $fields-new')) (export "request" (func $request-new'))
    (export "set-method" (func $set-method')) (export "memory" (memory $memory "memory"))))))
  (func (export "hoard") (param "count" u32) (param "length" u32) (result u32)
    (canon lift (core func $hoard' "hoard"))))
