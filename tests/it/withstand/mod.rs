//! What jobs withstand: crashes at any point, lost contact, crowds, and hostile text.

mod contact;
mod crashes;
mod crowds;
mod damage;
mod effects;
mod hostile;
mod hosts;
mod locked;
mod noise;
