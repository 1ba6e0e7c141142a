#![doc = include_str!("../README.md")]

pub use self::{
    amount::{Amount, Amounts},
    charge::{Quota, charge, handles},
    scope::Spec,
    usage::{Kind, covers, usage},
};

mod amount;
mod charge;
mod pod;
pub mod quantity;
mod scope;
mod usage;
