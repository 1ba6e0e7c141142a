//! How the binary is linked.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // Four processes read the list of relocations when they start, and would keep its 2.5 MB resident each.
    // Packed, it is a fiftieth of that. It takes glibc 2.36 or later, and a linker of 2022 or later.
    println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
}
