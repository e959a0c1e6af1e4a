"""Placeholder while it is being built."""

import streamlit as st

st.stop()
