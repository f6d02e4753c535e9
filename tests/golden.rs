//! scratch
use alloc8_gen::*;
#[test]
fn dump() {
    let linux = spec::platform("linux").unwrap();
    for name in ["simple_heap", "nothing"] {
        let a = match allocator::built_in(name) {
            Some(a) => a.unwrap(),
            None => allocator::convention(name).unwrap(),
        };
        let (plan, _) = plan::Plan::new(&linux, &a).unwrap();
        let inputs = render::Inputs {
            platform: "linux".into(),
            allocator: name.into(),
            lang: "c".into(),
            mode: "interpose".into(),
        };
        for (file, text) in
            render::render(&plan, &inputs).unwrap_or_else(|e| panic!("{e} {:?}", e.diagnostics))
        {
            let d = format!("/tmp/out/{name}");
            std::fs::create_dir_all(&d).unwrap();
            std::fs::write(format!("{d}/{file}"), text).unwrap();
        }
    }
}
