//! A database as its clients see it: accounts and sessions over one cluster. It implements the seam of
//! [`conversation`](crate::conversation) and knows nothing of packets.
//!


