//! Which pod has which address.

use std::{collections::HashSet, fmt, net::Ipv4Addr};

/// A range of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    base: u32,
    prefix: u8,
}

impl Range {
    /// The range that holds `address`; a prefix beyond 30 becomes 30.
    pub fn new(address: Ipv4Addr, prefix: u8) -> Self {
        let prefix = prefix.clamp(8, 30);
        Self { base: u32::from(address) & (u32::MAX << (32 - prefix)), prefix }
    }

    /// Length of the prefix in bits.
    pub fn prefix(self) -> u8 {
        self.prefix
    }

    /// First address that a machine can have.
    pub fn first(self) -> Ipv4Addr {
        Ipv4Addr::from(self.base + 1)
    }

    /// The range of this size that comes `number` places later.
    pub(crate) fn after(self, number: u8) -> Self {
        Self { base: self.base.saturating_add(self.size() * u32::from(number)), ..self }
    }

    fn size(self) -> u32 {
        1 << (32 - self.prefix)
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", Ipv4Addr::from(self.base), self.prefix)
    }
}

/// Hands addresses out in turn, so that one just released is the last to come again: whoever still talks to a pod
/// that is gone must not reach another one.
#[derive(Debug)]
pub(super) struct Addresses {
    range: Range,
    taken: HashSet<u32>,
    next: u32,
}

impl Addresses {
    /// The range's own address, the bridge's and the broadcast address are never handed out.
    const FIRST: u32 = 2;

    pub(super) fn new(range: Range) -> Self {
        Self { range, taken: HashSet::new(), next: Self::FIRST }
    }

    pub(super) fn take(&mut self) -> Option<Ipv4Addr> {
        let usable = self.range.size() - Self::FIRST - 1;
        let offset = (0..usable)
            .map(|step| Self::FIRST + (self.next - Self::FIRST + step) % usable)
            .find(|offset| !self.taken.contains(offset))?;
        self.taken.insert(offset);
        self.next = if offset + 1 < Self::FIRST + usable { offset + 1 } else { Self::FIRST };
        Some(Ipv4Addr::from(self.range.base + offset))
    }

    pub(super) fn release(&mut self, address: Ipv4Addr) {
        self.taken.remove(&(u32::from(address) - self.range.base));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_released_address_comes_again_last() {
        let mut addresses = Addresses::new(Range::new(Ipv4Addr::new(10, 0, 0, 77), 29));
        let first = addresses.take().unwrap();
        assert_eq!(first, Ipv4Addr::new(10, 0, 0, 74));
        addresses.release(first);
        let others: Vec<_> = (0..4).map(|_| addresses.take().unwrap().octets()[3]).collect();
        assert_eq!(others, [75, 76, 77, 78]);
        assert_eq!(addresses.take(), Some(first));
        assert_eq!(addresses.take(), None);
    }
}
