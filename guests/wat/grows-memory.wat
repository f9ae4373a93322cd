;; Grows one memory until the host says no, then gives the pages it got; `touch` also writes to each page.
;; `until-refused` traps where the host answers with -1, `for-ever` never takes no for an answer.
(component
  (core module $m
    (memory 1)
    (func $grow (export "grow") (result i32)
      (loop $l
        (br_if $l (i32.ne (i32.const -1) (memory.grow (i32.const 16)))))
      (memory.size))
    (func (export "touch") (result i32)
      (loop $l
        (memory.fill (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 65536)) (i32.const 165) (i32.const 65536))
        (br_if $l (i32.ne (i32.const -1) (memory.grow (i32.const 1)))))
      (memory.size))
    (func (export "until-refused") (drop (call $grow)) (unreachable))
    (func (export "for-ever")
      (loop $l (drop (memory.grow (i32.const 16))) (br $l))))
  (core instance $i (instantiate $m))
  (func (export "grow") (result u32) (canon lift (core func $i "grow")))
  (func (export "touch") (result u32) (canon lift (core func $i "touch")))
  (func (export "until-refused") (canon lift (core func $i "until-refused")))
  (func (export "for-ever") (canon lift (core func $i "for-ever"))))
