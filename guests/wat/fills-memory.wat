;; fill(pages): memory.fill over all of the memory, again and again: an instruction that takes long, and is not interrupted.
(component
  (core module $m
    (memory 1)
    (func (export "fill") (param $pages i32)
      (drop (memory.grow (i32.sub (local.get $pages) (i32.const 1))))
      (loop $l
        (memory.fill (i32.const 0) (i32.const 165) (i32.mul (memory.size) (i32.const 65536)))
        (br $l))))
  (core instance $i (instantiate $m))
  (func (export "fill") (param "pages" u32) (canon lift (core func $i "fill"))))
