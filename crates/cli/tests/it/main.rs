//! Commands against a small API in this process: what they ask, what they print, how they end.

mod apply;
mod clusters;
mod diff;
mod environments;
mod errors;
mod fake;
mod help;
mod operate;
mod orders;
mod preparations;
mod projects;
mod releases;
mod sql;
mod tables;
mod uploads;
