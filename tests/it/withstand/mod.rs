//! What jobs withstand.
