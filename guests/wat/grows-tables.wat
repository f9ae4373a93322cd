;; Grows a table until the host says no, then gives the number of entries it got.
(component
  (core module $m
    (table 1 funcref)
    (func (export "grow") (result i32)
      (loop $l
        (br_if $l (i32.ne (i32.const -1) (table.grow (ref.null func) (i32.const 4096)))))
      (table.size)))
  (core instance $i (instantiate $m))
  (func (export "grow") (result u32) (canon lift (core func $i "grow"))))
